"""What the linear stage, analysis by synthesis and tracking have in common."""
