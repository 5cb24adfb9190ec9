"""Images in and out, and mesh export."""
