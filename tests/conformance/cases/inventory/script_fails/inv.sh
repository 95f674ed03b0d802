#!/bin/sh
echo oh; echo no >&2
exit 3
