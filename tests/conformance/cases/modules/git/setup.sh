export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main repo; cd repo; git config user.email a@b.c; git config user.name n
echo 1 > a; git add a; git commit -q -m one; git tag v1; echo 2 > a; git commit -q -am two
git checkout -q -b side; echo side > b; git add b; git commit -q -m side; git checkout -q main
