// Wingmirror · Apache-2.0
// Pairing after a loss: decision 8.

/// What is uncertain about the pairing of a connection since octets with heads were lost.
///
/// Responses answer requests in order, so as long as no head is lost the first unanswered request is the one. After a
/// hole that may hide any number of heads this is no longer known. Responses are then put aside (``loose``) until a
/// *synchronizing* request arrives: one that its client sent when it had received all responses so far, at a server that
/// had received all requests before sending the latest of them. By then everything asked had been answered, so the latest
/// response belongs to the latest request, the one before to the one before, and so on back to the hole.
struct PairingRepair {
    /// Whether requests may be missing behind the latest one.
    var requestBreakAtEnd = false
    /// Whether responses may be missing behind the latest one.
    var responseBreakAtEnd = false
    /// Whether any request may be missing since pairing was certain.
    var missesRequests = false
    /// Whether any response may be missing since pairing was certain.
    var missesResponses = false
    /// Whether the latest request asked the server to close the connection behind its answer.
    var latestRequestCloses = false
    /// Whether the latest response ends the connection: it says that the server closes behind it, or it was cut off.
    var latestResponseCloses = false
    /// Whether the server closed in the midst of the latest response, so that it answered nothing behind it.
    var latestResponseWasCut = false
    /// What was wrong with a request that could not be read, so that its refusal says why it stands alone.
    var failedRequest: Integrity?
    /// Why octets could not be read while it was not known yet that the connection carries HTTP/1: counted once it is.
    var earlyFailure: ParseFailure?
    /// Responses put aside, in order.
    var loose: [Int32] = []

    /// Where one lies, so that a connection whose pairing is certain has room for nothing but the reference.
    final class Box {
        /// What is kept; `nil` only while its connection changes it.
        var repair: PairingRepair?

        init(_ repair: PairingRepair) {
            self.repair = repair
        }
    }
}
