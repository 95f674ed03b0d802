# Patterns that name nobody, that go beyond the last host, or that are nothing.
try() {
    ansible -i a,b,c,d, "$@" > out.txt 2> err.txt
    echo "$*: $?" $(cat out.txt) $(grep -oE 'No hosts matched.*|Could not match supplied.*|Hosts list cannot be empty|Use \[x:y\].*' err.txt)
}
for pattern in '' ' ' all 'all[5]' 'all[-5]' 'all[-1]' 'all[1:9]' 'all[5:9]' 'all[0:0]' 'all[1:0]' 'all[2:1]' 'all[9:0]' 'all[1-2]' 'all[a]' 'all[]' 'a[0]' 'a[3]' 'nope[0]' \
    'all[5]:a' 'a:!all[5]' 'a:&all[5]' '!a' ',a' nope; do
    try "$pattern" --list-hosts
done
try '' -m ping
try 'all[5]' -m ping
try nope -m ping
try a --list-hosts -l 'all[7]'
