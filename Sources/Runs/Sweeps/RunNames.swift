import Randomness
import StrictYAML

/// Bytes of a name above which only its beginning is kept; file systems take 255.
private let longestName = 160

/// A readable file name for a run's values: `seed=1,beta=0.02`.
///
/// It depends on the keys and the run's own values only. Where the values do not fit a file name as they are, a hash of
/// all of them tells the name from others.
func runName(_ values: [(key: String, value: YAMLNode)], among keys: [String]) -> String {
    let parts = values.map { key, value in "\(shortKey(key, among: keys))=\(plainText(of: value))" }
    let full = parts.joined(separator: ",")
    let name = String(decoding: full.utf8.map { isHarmlessInName($0) ? $0 : UInt8(ascii: "-") }, as: UTF8.self)
    guard name != full || name.utf8.count > longestName else { return name }
    let digits = String(fnv1a(values.map { "\($0.key)=\($0.value.flowText)" }.joined(separator: "\n").utf8), radix: 16)
    return "\(name.prefix(longestName))-\(String(repeating: "0", count: 16 - digits.count))\(digits)"
}

/// The shortest end of a dotted key that no other swept key has, beginning with a word and not a number.
func shortKey(_ key: String, among keys: [String]) -> String {
    let steps = key.split(separator: ".")
    for length in 1..<max(steps.count, 1) {
        let end = steps.suffix(length)
        let isShared = keys.contains { $0 != key && $0.split(separator: ".").suffix(length) == end }
        if !isShared, Int(end[end.startIndex]) == nil { return end.joined(separator: ".") }
    }
    return key
}

/// A value as a name has it: a scalar's own text, a list's elements with `+` between.
func plainText(of value: YAMLNode) -> String {
    switch value.content {
    case .scalar(let text, _): text
    case .list(let elements): elements.map(plainText(of:)).joined(separator: "+")
    case .mapping: value.flowText
    }
}

private func isHarmlessInName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "_-+.=,".utf8.contains(byte)
    }
}
