mkdir w; echo x > w/t; chmod 600 w/t; ln -s t w/l
