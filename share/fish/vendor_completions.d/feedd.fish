# loaded at the first Tab, made by the feedd that is installed
feedd completion fish | source
