import Foundation

/// Unicode's form NFC of a text as `tokenizers` makes it, by Unicode 9: scalars of later versions combine with nothing.
///
/// In time that grows as the text's length.
func canonicallyComposed(_ text: String, longest: Int = 32) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var composed = String.UnicodeScalarView()
    var part = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isLate(scalar) {
            composed.append(contentsOf: composedByFoundation(String(part), longest: longest).unicodeScalars)
            composed.append(scalar)
            part = String.UnicodeScalarView()
        } else {
            part.append(scalar)
        }
    }
    composed.append(contentsOf: composedByFoundation(String(part), longest: longest).unicodeScalars)
    return String(composed)
}

/// Whether Unicode 9 does not know a scalar; beyond the first two planes none that combine came later.
private func isLate(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20000 && lateScalars[Int(scalar.value)]
}

private let lateScalars: [Bool] = (0..<0x20000 as Range<UInt32>).map { value in
    (Unicode.Scalar(value)?.properties.age?.major ?? 0) > 9
}

/// Unicode's form NFC, by Foundation's version of it.
///
/// Foundation puts the combining marks of a character into order by insertion, which takes the square of their
/// number, and leaves what three Tibetan vowels decompose to where it stands. More than `longest` marks in a row, of
/// which no writing system has half as many, and those vowels are therefore put into order before.
private func composedByFoundation(_ text: String, longest: Int) -> String {
    var ordered = String.UnicodeScalarView()
    var marks: [Unicode.Scalar] = []
    var isOrdered = true
    func flush() {
        if marks.count > longest || marks.contains(where: isTibetanVowel) {
            ordered.append(contentsOf: inCanonicalOrder(marks))
            isOrdered = false
        } else {
            ordered.append(contentsOf: marks)
        }
        marks.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars {
        if isMark(scalar) {
            marks.append(scalar)
        } else {
            if !marks.isEmpty { flush() }
            ordered.append(scalar)
        }
    }
    flush()
    return (isOrdered ? text : String(ordered)).precomposedStringWithCanonicalMapping
}

/// Whether a scalar, or all that it decomposes to, combines with what stands before it.
private func isMark(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x300 { return false }
    return scalar.properties.canonicalCombiningClass != .notReordered || isTibetanVowel(scalar)
}

/// Of combining class 0, but made of nothing but marks.
private func isTibetanVowel(_ scalar: Unicode.Scalar) -> Bool { [0xF73, 0xF75, 0xF81].contains(scalar.value) }

/// Marks in a row, decomposed, by combining class and within a class as they came.
private func inCanonicalOrder(_ marks: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var byClass = [[Unicode.Scalar]](repeating: [], count: 256)
    for mark in marks {
        for part in String(mark).decomposedStringWithCanonicalMapping.unicodeScalars {
            byClass[Int(part.properties.canonicalCombiningClass.rawValue)].append(part)
        }
    }
    return Array(byClass.joined())
}
