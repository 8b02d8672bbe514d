/// The effective configuration as YAML: every key with the value it has, defaults included.
package func writeYAML(_ top: SectionReader) -> String {
    let sections = top.sections.map { "\($0.path):\n" + lines($0, indentation: "  ") }
    return sections.joined() + top.records.map { "\($0.line)\n" }.joined()
}

/// A section's keys, then the sections in it.
private func lines(_ section: SectionReader, indentation: String) -> String {
    let keys = section.records.map { "\(indentation)\($0.line)\n" }
    let sections = section.sections.map { inner in
        "\(indentation)\(inner.path.dropFirst(section.path.count + 1)):\n"
            + lines(inner, indentation: indentation + "  ")
    }
    return (keys + sections).joined()
}
