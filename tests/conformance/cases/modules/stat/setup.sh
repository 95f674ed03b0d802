printf 'hello\n' > f; chmod 640 f; ln -s f l; ln -s nowhere dangling; mkdir -m 2750 dir
