// Wingmirror · Apache-2.0
// Names of pods: apimachinery/pkg/util/rand/rand.go of kubernetes/kubernetes.

/// The names that a Deployment gives its pods, which say where an answer was made.
///
/// Two places that run the same version have other pods, and not as many of them.
enum PodName {
    /// The letters and digits of generated names: none that could make a word.
    private static let alphabet = Set("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let suffixLength = 5
    private static let hashLengths = 6...10
    /// The longest name that a pod may have (RFC 1123 §2.1).
    private static let longest = 253

    /// Whether two texts are names of pods.
    static func areNames(_ first: [UInt8], _ second: [UInt8]) -> Bool { isName(first) && isName(second) }

    /// Whether a text ends as the name of a pod: a hash of its template, and a suffix.
    private static func isName(_ octets: [UInt8]) -> Bool {
        guard octets.count <= longest else { return false }
        let parts = octets.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 3, let suffix = parts.last, suffix.count == suffixLength else { return false }
        let hash = parts[parts.count - 2]
        return hashLengths.contains(hash.count) && (hash + suffix).allSatisfy(alphabet.contains)
    }
}
