// Wingmirror · Apache-2.0

import Redaction
import TrafficModel

@testable import ShadowTesting

/// Builds shadow requests for tests.
struct BuilderDriver {
    var policy = MirrorPolicy.everything()
    var target = MirrorTarget(name: "staging", host: "staging.internal", port: 8080)
    var node = "node-1"
    var key = RedactionKey(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    init(_ change: (inout BuilderDriver) -> Void = { _ in }) {
        change(&self)
    }

    func build(_ request: RecordedRequest, copy: Int = 0) throws(FilterReason) -> ShadowRequest {
        let builder = ShadowRequestBuilder(policy: policy, target: target, node: node, key: key)
        return try builder.build(RecordedExchange(request: request, startTime: 1), copy: copy)
    }

    /// Why a request is refused; `nil` if it is not.
    func reason(against request: RecordedRequest) -> FilterReason? {
        do throws(FilterReason) {
            _ = try build(request)
            return nil
        } catch {
            return error
        }
    }
}

extension ShadowRequest {
    /// The values of a field.
    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// The content as text.
    var contentText: String { String(decoding: content, as: UTF8.self) }
}
