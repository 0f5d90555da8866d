namespace Distill.Serving.Protocol;

/// <summary>Tokens read and generated; a prompt counts once, however many completions it has.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens)
{
    public int TotalTokens => PromptTokens + CompletionTokens;
}
