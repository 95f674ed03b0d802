printf 'a\r\nb\r\n' > crlf.j2
printf 'a\rb\r' > cr.j2
printf '{{ 1 }}\r\nb\r\n' > crlf_some.j2
printf '{%% raw %%}\r\n x\r\n{%% endraw %%}\r\ny\r\n' > raw_crlf.j2
