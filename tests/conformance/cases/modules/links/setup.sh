mkdir -p w/d/e w/rs/a w/old w/empty
echo f > w/f; ln -s ../f w/d/ext; ln -s nowhere w/d/dead; ln -s ../ext w/d/e/l
echo f > w/rs/f; echo g > w/rs/a/g; ln -s f w/rs/l; ln -s a w/rs/ld; ln -s ../f w/rs/a/back
ln -s loop w/loop; ln -s nowhere w/dead; ln -s f w/l
touch -d @1000000000 w/f; touch -h -d @1000000000 w/l
