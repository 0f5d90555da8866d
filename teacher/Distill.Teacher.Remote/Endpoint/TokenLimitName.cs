namespace Distill.Teacher.Remote.Endpoint;

/// <summary>What an endpoint calls the longest completion.</summary>
public enum TokenLimitName
{
    /// <summary>Nearly all endpoints. The default.</summary>
    MaxTokens,

    /// <summary>OpenAI's reasoning models, which refuse the other.</summary>
    MaxCompletionTokens,
}
