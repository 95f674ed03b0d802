#!/bin/sh
printf "a\r5%%\rb\r\nc\013d\n\n"
