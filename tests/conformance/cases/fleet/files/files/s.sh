#!/bin/sh
echo "$1 as $(whoami)"
