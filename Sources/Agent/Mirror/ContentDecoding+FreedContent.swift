// Wingmirror · Apache-2.0

package import AnswerComparison
package import ContentDecoding

extension ContentDecoding {
    /// Takes one coding, or a list of them, off content, for a comparison of what it says.
    ///
    /// - Returns: What comes out, up to `limit` octets; `nil` when the coding is unknown, or the content is none of it or cut
    ///   short.
    package static func freed(_ coding: String, _ content: [UInt8], limit: Int) -> FreedContent? {
        guard let decoded = try? decode(content, codings: [coding], limit: limit), decoded.end != .truncated else {
            return nil
        }
        return FreedContent(decoded.octets, isWhole: decoded.end == .whole)
    }
}
