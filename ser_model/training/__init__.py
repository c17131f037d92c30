"""What only training needs; serving never imports it."""
