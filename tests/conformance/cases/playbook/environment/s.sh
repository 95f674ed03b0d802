#!/bin/sh
echo "$BOTH"
