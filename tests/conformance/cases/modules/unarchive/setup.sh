mkdir -p top/sub files; echo 1 > top/one; echo 2 > top/sub/two; chmod 750 top/sub
tar cf files/a.tar top; tar czf files/a.tar.gz top; python3 -c "import shutil; shutil.make_archive('files/a', 'zip', '.', 'top')"; echo no > files/not.tar
