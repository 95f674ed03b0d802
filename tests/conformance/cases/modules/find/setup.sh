mkdir -p w/sub/deep; echo needle > w/a.txt; head -c 2000 /dev/zero > w/big; echo x > w/sub/b.log; echo yy > w/sub/deep/c.txt; echo h > w/.hidden; ln -s a.txt w/link; touch -d 2020-01-01 w/big
