"""Reports of a build: files that other programs and people read when it is over."""
