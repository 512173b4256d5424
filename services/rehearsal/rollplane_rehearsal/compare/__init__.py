"""One story under several settings: what each comes to, and which is best."""
