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

/// A table for each section, and one for the keys outside of any.
package func referenceTables(_ top: SectionReader) -> String {
    var text = ""
    for section in top.sections {
        text += "## \(section.path)\n\n" + table(section.allRecords)
        if !section.elementRecords.isEmpty { text += "\n" + table(section.elementRecords) }
        text += "\n"
    }
    text += "## Top level\n\n" + table(top.records)
    if !top.elementRecords.isEmpty { text += "\n" + table(top.elementRecords) }
    return text
}

private func table(_ records: [KeyRecord]) -> String {
    var text = "| key | value | default | unit | meaning |\n|---|---|---|---|---|\n"
    for record in records {
        let value = record.type + (record.bounds.map { ", \($0)" } ?? "")
        let cells = [
            "`\(record.path)`", value, "`\(record.standard)`", record.unit ?? "–",
            record.meaning.split(separator: "|").joined(separator: "\\|"),
        ]
        text += "| " + cells.joined(separator: " | ") + " |\n"
    }
    return text
}
