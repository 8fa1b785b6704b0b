"""Reading and checking a configuration; what rules ask for; a study's figures. Used by rules only."""
