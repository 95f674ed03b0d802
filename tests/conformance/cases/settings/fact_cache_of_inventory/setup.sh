mkdir cache
printf '%s' '{"__payload__": "{\"colour\": \"red\", \"words\": [\"{{ 1 + 1 }}\", 2], \"own\": \"fact\", \"ansible_local\": {\"a\": 1}}"}' > cache/s1_web1
