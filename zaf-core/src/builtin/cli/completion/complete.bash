# Completes words of `@PROGRAM@` in bash. Written by `@PROGRAM@ completion bash`; into ~/.bashrc goes
#
#     source <(@PROGRAM@ completion bash)

_@NAME@_complete() {
    local program=${1/#\~\//$HOME/} rest=${COMP_LINE:0:COMP_POINT}
    local -a words=()
    local index word piece
    # Bash breaks words at `=`, `:` and `@`, too. What stands together on the line belongs together.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        piece=${rest#"${rest%%[![:space:]]*}"}
        if ((index == 0)) || [[ $piece != "$rest" ]]; then
            words+=("")
        fi
        rest=${piece#"$word"}
        if ((index < COMP_CWORD)); then
            piece=$word
        fi
        words[${#words[@]} - 1]+=$piece
    done
    # Of the last word, bash replaces only what stands behind the last break.
    local current=${words[${#words[@]} - 1]} head="" breaks=${COMP_WORDBREAKS//[^=:@]/}
    if [[ -n $breaks && $current == *["$breaks"]* ]]; then
        head=${current%"${current##*["$breaks"]}"}
        # It replaces an `@`, too, with which names of hosts begin for it.
        head=${head%@}
    fi
    local kind="" line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
        elif [[ -n $line ]]; then
            line=${line%%$'\t'*}
            printf -v line %q "${line#"$head"}"
            COMPREPLY+=("$line")
        fi
    done < <("$program" __complete bash "${words[@]:1}" 2>/dev/null)
    # Files are bash's own, which knows about quotes and home directories.
    [[ $kind == files ]] || compopt +o default 2>/dev/null
    return 0
}

complete -o default -F _@NAME@_complete @PROGRAM@
