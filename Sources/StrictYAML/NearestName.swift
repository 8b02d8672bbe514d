/// The known name closest to a mistyped one, if it is close enough to be what was meant.
package func nearestName(to name: String, among known: [String]) -> String? {
    let limit = max(2, name.count / 2)
    var best: (name: String, distance: Int)?
    // No distance is below the difference in length: a name from a file may be very long.
    for candidate in known where abs(candidate.utf8.count - name.utf8.count) <= limit {
        let distance = editDistance(Array(name.utf8), Array(candidate.utf8))
        if distance <= limit, distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.name
}

/// Levenshtein distance: insertions, deletions and substitutions that turn `a` into `b`.
package func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for i in 0..<a.count {
        var diagonal = row[0]
        row[0] = i + 1
        for j in 0..<b.count {
            let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
