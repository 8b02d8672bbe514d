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
