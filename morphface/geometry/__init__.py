"""Cameras, meshes and spherical harmonics. Rotations come from `roma`."""
