export GIT_AUTHOR_DATE='2020-01-01 00:00:00 +0000' GIT_COMMITTER_DATE='2020-01-01 00:00:00 +0000'
mkdir -p w/src w/un; echo text > text
cd w/src; git init -q -b main .; echo 1 > f; git add f
git -c user.email=a@example.com -c user.name=a commit -qm 1
cd ..; git clone -q src clone; tar czf archive.tgz -C src f
