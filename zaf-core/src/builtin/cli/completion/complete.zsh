#compdef @PROGRAM@
# Completes words of `@PROGRAM@` in zsh. Written by `@PROGRAM@ completion zsh`; into ~/.zshrc, behind `compinit`, goes
#
#     source <(@PROGRAM@ completion zsh)

_@NAME@() {
    local -a lines described
    local line word
    lines=("${(@f)$("${~${(Q)words[1]}}" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in "${(@)lines[2,-1]}"; do
        word=${line%%$'\t'*}
        [[ -n $word ]] && described+=("${word//:/\\:}:${line#*$'\t'}")
    done
    if [[ ${lines[1]} == files ]]; then
        [[ $PREFIX == -*=* ]] && compset -P '*='
        # What begins with a word and a colon names a sort of file.
        _files || { compset -P '*:' && _files }
    elif (( $#described )); then
        _describe -t words '@PROGRAM@' described
    fi
}

# As a file `_@NAME@` in a folder of $fpath this is the body of the function.
if [[ ${funcstack[1]} == _@NAME@ ]]; then
    _@NAME@ "$@"
else
    compdef _@NAME@ @PROGRAM@
fi
