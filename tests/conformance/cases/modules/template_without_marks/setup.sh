printf 'a\r\nb\r\n' > plain
printf 'a\rb\r\n\000' > binary
printf 'a\r\n{{ 1 }}\r\n' > marked
printf '#jinja2: trim_blocks: True\r\na\r\nb\r\n' > headed
