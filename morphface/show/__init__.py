"""Values as pictures: for notebooks, papers and people."""
