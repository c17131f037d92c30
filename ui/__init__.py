"""What the page shows and what the endpoints answer; beside app.py the only place that imports gradio."""
