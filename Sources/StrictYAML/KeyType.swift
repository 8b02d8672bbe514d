import Failures

/// The type of a key's value: how it is read from a node, how it is written, and what the reference says of it.
package struct KeyType<Value> {
    /// As the reference names it: "number", "list of …".
    package let name: String
    package let unit: String?
    package let bounds: String?
    /// Whether null is a value.
    package let nullable: Bool
    /// The value as YAML on one line.
    package let show: (Value) -> String
    /// The value; nil where the node holds none of this type.
    package let convert: (YAMLNode) -> Value?
    /// What a node that cannot be converted is, for messages.
    package var describe: (YAMLNode) -> String = \.kind

    /// Describes a type.
    package init(
        name: String,
        unit: String? = nil,
        bounds: String? = nil,
        nullable: Bool = false,
        show: @escaping (Value) -> String,
        convert: @escaping (YAMLNode) -> Value?,
        describe: @escaping (YAMLNode) -> String = \.kind
    ) {
        self.name = name
        self.unit = unit
        self.bounds = bounds
        self.nullable = nullable
        self.show = show
        self.convert = convert
        self.describe = describe
    }

    /// What a value must be, for messages: "a number > 0 in tokens".
    package var requirement: String {
        [name, bounds, unit.map { "in \($0)" }].compactMap { $0 }.joined(separator: " ")
    }
}

extension KeyType {
    /// The type or null.
    package static func optional<Wrapped>(_ type: KeyType<Wrapped>) -> Self where Value == Wrapped? {
        KeyType(
            name: "\(type.name) or null",
            unit: type.unit,
            bounds: type.bounds,
            nullable: true,
            show: { $0.map(type.show) ?? "null" },
            convert: { $0.isNull ? .some(nil) : type.convert($0).map { .some($0) } },
            describe: type.describe
        )
    }
}

extension KeyType {
    /// The type, or `auto` where the program chooses.
    package static func orAuto<Wrapped>(_ type: KeyType<Wrapped>) -> Self where Value == Wrapped? {
        KeyType(
            name: "\(type.name) or auto",
            unit: type.unit,
            bounds: type.bounds,
            show: { $0.map(type.show) ?? "auto" },
            convert: { node in
                if case .scalar("auto", quoted: false) = node.content { return .some(nil) }
                return type.convert(node).map { .some($0) }
            },
            describe: type.describe
        )
    }
}

/// The sizes of numbers other than zero: what training computes with them in fp32 is neither zero nor infinite.
package let numberSizes = 1e-30...1e30

extension KeyType where Value: BinaryFloatingPoint & CustomStringConvertible {
    package static func number(_ bounds: Bounds<Double> = .any, unit: String? = nil) -> Self {
        KeyType(name: "number", unit: unit, bounds: bounds.text, show: { "\($0)" }) { node in
            guard let value = decimal(node), value == 0 || numberSizes.contains(abs(value)), bounds.contains(value)
            else { return nil }
            return Value(value)
        } describe: { node in
            let isOfNoSize = decimal(node).map { $0 != 0 && !numberSizes.contains(abs($0)) } ?? false
            return node.kind + (isOfNoSize ? "; numbers other than 0 are from 1e-30 to 1e30 in size" : "")
        }
    }
}

/// The number that a node holds; a quoted one is text: `"1e-5"` is refused.
private func decimal(_ node: YAMLNode) -> Double? {
    guard case .scalar(let text, quoted: false) = node.content, let value = Double(text),
        text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) })
    else { return nil }
    return value
}

/// The largest integer of any key: products of two such numbers fit 64 bits.
package let largestInteger = Int(Int32.max)

extension KeyType<Int> {
    package static func integer(_ bounds: Bounds<Int>, unit: String? = nil) -> Self {
        KeyType(name: "integer", unit: unit, bounds: bounds.text, show: { "\($0)" }) { node in
            guard case .scalar(let text, quoted: false) = node.content, let value = Int(text),
                value <= largestInteger, bounds.contains(value)
            else { return nil }
            return value
        } describe: { node in
            guard case .scalar(let text, quoted: false) = node.content, Double(text) ?? 0 > Double(largestInteger)
            else { return node.kind }
            return node.kind + "; integers are \(largestInteger) at most"
        }
    }
}

extension KeyType<UInt64> {
    package static var seed: Self {
        KeyType(name: "integer", bounds: "≥ 0", show: { "\($0)" }) { node in
            guard case .scalar(let text, quoted: false) = node.content else { return nil }
            return UInt64(text)
        }
    }
}

extension KeyType<Bool> {
    package static var flag: Self {
        KeyType(name: "true or false", show: { "\($0)" }) { node in
            guard case .scalar(let text, quoted: false) = node.content else { return nil }
            return Bool(text)
        }
    }
}

extension KeyType<String> {
    package static var text: Self { string(named: "text") }
    /// Taken literally: no `~`, no variables.
    ///
    /// Relative paths are relative to the working directory. The system takes none of more than 4095 bytes.
    package static var path: Self { string(named: "path", mostBytes: 4095) }

    private static func string(named name: String, mostBytes: Int = .max) -> Self {
        KeyType(name: name, show: quotedYAML) { node in
            guard case .scalar(let text, _) = node.content, !text.isEmpty, !text.utf8.contains(0),
                text.utf8.count <= mostBytes
            else { return nil }
            return text
        } describe: { node in
            guard case .scalar(let text, _) = node.content, text.utf8.count > mostBytes else { return node.kind }
            return "one of \(text.utf8.count) bytes"
        }
    }
}

extension KeyType<[String]> {
    package static var texts: Self { list(named: "list of texts", of: .text) }

    /// A list of texts of a type; `name` is the list's, in the plural.
    package static func list(named name: String, of type: KeyType<String>) -> Self {
        KeyType(
            name: name,
            show: { "[" + $0.map(quotedYAML).joined(separator: ", ") + "]" }
        ) { node in
            guard case .list(let elements) = node.content else { return nil }
            let texts = elements.compactMap(type.convert)
            return texts.count == elements.count ? texts : nil
        } describe: { node in
            guard case .list(let elements) = node.content else { return node.kind }
            return elements.first { type.convert($0) == nil }?.kind ?? node.kind
        }
    }
}

extension KeyType where Value: CaseIterable & RawRepresentable<String> {
    /// One of the type's cases, or of some of them, by its raw value.
    package static func choice(_ type: Value.Type, of cases: [Value] = Array(Value.allCases)) -> Self {
        let names = cases.map(\.rawValue)
        return KeyType(
            name: names.count == 1 ? names[0] : "one of " + names.joined(separator: ", "),
            show: \.rawValue
        ) { node in
            guard case .scalar(let text, _) = node.content else { return nil }
            return cases.first { $0.rawValue == text }
        } describe: { node in
            guard case .scalar(let text, _) = node.content, let near = nearestName(to: text, among: names) else {
                return node.kind
            }
            return "\(node.kind); did you mean \(near)?"
        }
    }
}

extension KeyType {
    /// A list of the type's cases, each at most once; `family` names further values that the type has, as `only-N`.
    package static func choices<Case>(_ type: Case.Type, and family: String? = nil) -> Self
    where Value == [Case], Case: CaseIterable & RawRepresentable<String> {
        let names = Case.allCases.map(\.rawValue) + (family.map { [$0] } ?? [])
        let one = KeyType<Case>.choice(type)
        func converted(_ node: YAMLNode) -> Case? {
            guard family != nil, case .scalar(let text, _) = node.content else { return one.convert(node) }
            return Case(rawValue: text)
        }
        return KeyType(
            name: "list of " + names.joined(separator: ", ") + ", each at most once",
            show: { "[" + $0.map(\.rawValue).joined(separator: ", ") + "]" }
        ) { node in
            guard case .list(let elements) = node.content else { return nil }
            let values = elements.compactMap(converted)
            let allKnownOnce = values.count == elements.count && Set(values.map(\.rawValue)).count == values.count
            return allKnownOnce ? values : nil
        } describe: { node in
            guard case .list(let elements) = node.content else { return node.kind }
            let unknown = elements.first { converted($0) == nil }
            return unknown.map(one.describe) ?? "one of them twice"
        }
    }
}

/// Text as a YAML scalar: plain where no reader could take it for anything else, quoted otherwise.
package func quotedYAML(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_-./".utf8.contains(byte)
    }
    let letterFirst = text.unicodeScalars.first.map { $0.properties.isAlphabetic || $0 == "." || $0 == "/" } ?? false
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "...", "."]
    if plain, letterFirst, Double(text) == nil, !reserved.contains(text.lowercased()) { return text }
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\\": "\\\\"
        case "\"": "\\\""
        case _ where isControl(scalar) || [0xFEFF, 0xFFFE, 0xFFFF].contains(scalar.value):
            // Not all of these are YAML as they are.
            "\\u" + String(String(scalar.value + 0x10000, radix: 16).dropFirst())
        default: String(scalar)
        }
    }
    return "\"" + escaped.joined() + "\""
}
