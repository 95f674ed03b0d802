seq 1 40000 > files/big.txt
