mkdir cache
printf '%s' '{"__payload__": "{\"colour\": \"red\"}"}' > cache/s1_web1
