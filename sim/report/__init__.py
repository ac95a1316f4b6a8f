"""What people see: pictures, the summary on screen, the browser page. No logic of its own."""
