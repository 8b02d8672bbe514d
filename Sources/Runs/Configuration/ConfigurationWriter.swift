/// The effective configuration as YAML: every key with the value it has, defaults included.
func writeYAML(_ top: SectionReader) -> String {
    var text = ""
    for section in top.sections {
        text += "\(section.path):\n"
        for record in section.records { text += "  \(record.line)\n" }
    }
    for record in top.records { text += "\(record.line)\n" }
    return text
}
