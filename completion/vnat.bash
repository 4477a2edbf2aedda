# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vnat for bash; `vnat complete` knows all there is to know.

# Readline splits words at ':' and '=' too (COMP_WORDBREAKS). Sets `words` to those after the command as the user sees
# them, the last one up to the cursor.
__vnat_words() {
    local rest=${COMP_LINE:0:COMP_POINT} blanks i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${rest%%[![:space:]]*}
        rest=${rest#"$blanks"}
        if [[ $i -eq $COMP_CWORD ]]; then
            set -- "$rest"
        else
            set -- "${COMP_WORDS[i]}"
        fi
        if [[ $i -eq 0 || -n $blanks ]]; then
            words+=("$1")
        else
            words[${#words[@]} - 1]+=$1
        fi
        rest=${rest#"$1"}
    done
    words=("${words[@]:1}")
}

# Bash calls it with the command, what readline will replace, and the word before.
_vnat() {
    local -a words found
    local word kept candidate
    __vnat_words
    word=${words[${#words[@]} - 1]}
    kept=${word%"$2"}
    COMPREPLY=()
    mapfile -t found < <("$1" complete "${words[@]}" 2>/dev/null)
    for candidate in "${found[@]}"; do
        if [[ $candidate == '<file>' ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2")
        else
            COMPREPLY+=("${candidate#"$kept"}")
        fi
    done
}

complete -F _vnat vnat
