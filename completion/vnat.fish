# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vnat for fish; `vnat complete` knows all there is to know.

function __vnat_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l found (command $words[1] complete $words[2..-1] "$typed" 2>/dev/null)
    string match --invert -- '<file>' $found
    if contains -- '<file>' $found
        set -l before (string match --regex -- '^--[a-z-]+=' "$typed")
        __fish_complete_path (string replace -- "$before" '' "$typed") | string replace --regex '^' -- "$before"
    end
end

complete --command vnat --no-files --arguments '(__vnat_complete)'
