import StrictYAML

/// `docs/configuration.md`, made from the declarations; a test compares the file with this.
package func configurationReference() -> String {
    var top = SectionReader(path: "", node: nil)
    _ = Configuration(&top)
    let text = """
        # Configuration

        One YAML file describes a run. This page lists every key; it is made from the declarations in
        `Sources/Runs/Configuration` (`UPDATE_REFERENCE=1 swift test --filter ShippedFilesTests`), and a test
        checks that it is up to date.

        - A key left out has its default. An unknown key is an error that names the nearest known one.
        - All problems of a file are reported at once, one a line, with file and line; the exit code is 78.
        - `--set section.key=value` overrides any key; the value is YAML. A number chooses an element of a list:
          `--set simulate.groups.0.users=11 --set 'policy.objectives=[maxmin, single]'`.
        - An integer is at most \(largestInteger), unless its key says less. A number is 0, or from 1e-30 to 1e30 in \
        size.
        - Relative paths are relative to the working directory. `~` and variables are taken literally.
        - The key decides the type of a value: `no` is text for a path and an error for a flag, which is `true` or \
        `false`.
        - Not supported, to keep files plain: anchors, aliases, tags, merge keys, block text, directives, several \
        documents. The YAML parser itself reports them, so nothing hides them. A file has at most 1 MiB, and 16 levels \
        of lists and mappings.
        - The run directory's `config.yaml` holds the effective configuration: every key with the value it had.


        """
    return text + referenceTables(top)
}
