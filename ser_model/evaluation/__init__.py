"""How good it is: metrics, reports, figures; serving never imports it."""
