# Completes words of `@PROGRAM@` in fish. Written by `@PROGRAM@ completion fish`; into ~/.config/fish/config.fish goes
#
#     @PROGRAM@ completion fish | source

function __@NAME@_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l lines ($program __complete fish $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = files
        set -l head (string match -r '^-[^=]*=' -- $current)
        for path in (__fish_complete_path (string replace -r '^-[^=]*=' '' -- $current))
            echo "$head$path"
        end
    else if test (count $lines) -gt 1
        printf '%s\n' $lines[2..-1]
    end
end

complete -c @PROGRAM@ -f -a '(__@NAME@_complete)'
