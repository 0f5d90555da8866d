using Distill.Generation;

namespace Distill.Teacher.Remote.Collection;

/// <summary>Sampling of a remote teacher in the spelling of all traces.</summary>
internal static class RemoteSampling
{
    public static string Write(RemoteTraceOptions options) =>
        SamplingJson.Write(new SamplingOptions { Temperature = options.Temperature, TopP = options.TopP }, options.MaxTokens);
}
