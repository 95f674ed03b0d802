(cd serve && sha256sum a.txt > SHA256SUMS)
