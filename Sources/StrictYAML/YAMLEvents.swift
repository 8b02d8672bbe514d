import CYaml

/// What libyaml finds in a text, one event at a time; of YAML, what no configuration needs is refused as the parser
/// itself sees it.
///
/// Nothing is composed here, so nothing can be expanded: an alias is an event like any other.
@safe package final class YAMLEvents {
    /// An event, and the line that it starts on.
    package enum Event {
        case scalar(String, quoted: Bool)
        case listStart
        case mappingStart
        /// Of a list or a mapping.
        case end
        case documentStart
        case documentEnd
        case streamEnd
    }

    /// Why a text is refused.
    package struct Refusal: Error {
        package let line: Int?
        package let reason: String
    }

    /// Of the event that came last.
    package private(set) var line = 1
    private let text: UnsafeMutableBufferPointer<UInt8>
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    package init(_ string: String) {
        unsafe text = .allocate(capacity: string.utf8.count)
        _ = unsafe text.initialize(from: string.utf8)
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        guard unsafe yaml_parser_initialize(parser) == 1 else { preconditionFailure("no memory for a parser") }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event; the start of the stream is passed over.
    package func next() throws(Refusal) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw unsafe syntaxError(parser.pointee) }
        defer { unsafe yaml_event_delete(&event) }
        unsafe line = Int(event.start_mark.line) + 1
        switch unsafe event.type {
        case YAML_SCALAR_EVENT: return try unsafe scalar(event.data.scalar)
        case YAML_SEQUENCE_START_EVENT:
            let list = unsafe event.data.sequence_start
            try unsafe refuse(anchor: list.anchor, tag: list.tag, isTagged: list.implicit == 0)
            return .listStart
        case YAML_MAPPING_START_EVENT:
            let mapping = unsafe event.data.mapping_start
            try unsafe refuse(anchor: mapping.anchor, tag: mapping.tag, isTagged: mapping.implicit == 0)
            return .mappingStart
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        case YAML_DOCUMENT_START_EVENT:
            let start = unsafe event.data.document_start
            guard unsafe start.version_directive == nil, unsafe start.tag_directives.start == start.tag_directives.end
            else { throw Refusal(line: line, reason: "YAML directives (%) are not supported") }
            return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_ALIAS_EVENT:
            throw Refusal(line: line, reason: "aliases (*) are not supported; write the value out, or quote the text")
        default: return try next()
        }
    }

    private func scalar(_ scalar: yaml_event_t.__Unnamed_union_data.__Unnamed_struct_scalar) throws(Refusal) -> Event {
        let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
        // libyaml drops the tag `!`, and leaves only that a plain scalar is not to be resolved.
        let isTagged = unsafe isPlain && scalar.plain_implicit == 0
        try unsafe refuse(anchor: scalar.anchor, tag: scalar.tag, isTagged: isTagged)
        guard unsafe scalar.style != YAML_LITERAL_SCALAR_STYLE, unsafe scalar.style != YAML_FOLDED_SCALAR_STYLE else {
            throw Refusal(line: line, reason: "block text (| and >) is not supported; quote the text")
        }
        let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return unsafe .scalar(String(decoding: bytes, as: UTF8.self), quoted: !isPlain)
    }

    private func refuse(
        anchor: UnsafeMutablePointer<yaml_char_t>?,
        tag: UnsafeMutablePointer<yaml_char_t>?,
        isTagged: Bool
    ) throws(Refusal) {
        if unsafe anchor != nil {
            throw Refusal(line: line, reason: "anchors (&) are not supported; write the value out, or quote the text")
        }
        if unsafe isTagged || tag != nil {
            throw Refusal(line: line, reason: "tags (!) are not supported; the key decides the type; or quote the text")
        }
    }

    private func syntaxError(_ parser: yaml_parser_t) -> Refusal {
        let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "cannot be parsed"
        // The reader, which checks the bytes, knows no line.
        let line = unsafe parser.error == YAML_READER_ERROR ? nil : Int(parser.problem_mark.line) + 1
        return Refusal(
            line: line,
            reason: problem.hasPrefix("Maximum nesting") ? "nested too deeply" : "not valid YAML: \(problem)"
        )
    }
}
