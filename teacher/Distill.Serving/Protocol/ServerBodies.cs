namespace Distill.Serving.Protocol;

/// <summary>Answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelEntry> Data)
{
    public string Object { get; } = "list";
}

/// <param name="MaxModelLen">Longest sequence served, prompt and completion together.</param>
internal sealed record ModelEntry(string Id, long Created, int MaxModelLen)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "distill";
}

/// <summary>Answer of <c>/health</c>.</summary>
/// <param name="Status"><c>ok</c>, or <c>failing</c> when the model failed the last request that ran to its end.</param>
/// <param name="Requests">HTTP requests being served or waiting, and how many may be.</param>
/// <param name="Waiting">Prompts waiting for a slot, and prompts being completed.</param>
internal sealed record HealthBody(string Status, string Model, int Requests, int MostRequests, int Waiting, int Running);
