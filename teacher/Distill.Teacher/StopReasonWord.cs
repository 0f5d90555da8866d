using Distill.Generation;

namespace Distill.Teacher;

/// <summary>How traces spell a stop reason.</summary>
public static class StopReasonWord
{
    public static string Of(StopReason reason) => reason switch
    {
        StopReason.StopToken => "stop",
        StopReason.StopString => "stop_string",
        StopReason.Length => "length",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Unknown stop reason."),
    };
}
