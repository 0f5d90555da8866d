using System.Text.Json;
using Distill.Templates;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using ChatMessage = Distill.Tokenization.ChatMessage;

namespace Distill.Client;

/// <summary>
/// Which switches of reasoning a chat template has: those that change what it writes. Thread-safe.
/// </summary>
internal sealed class TemplateSwitches(ChatEncoder encoder)
{
    private const string Thinking = "enable_thinking", Effort = "reasoning_effort";

    private readonly Lazy<bool> hasThinking = new(() => Differs(encoder, Thinking, true, false));
    private readonly Lazy<bool> hasEffort = new(() => Differs(encoder, Effort, "low", "high"));

    /// <summary>Sets the variables that make the template ask for an effort.</summary>
    /// <exception cref="NotSupportedException">The template knows no such effort.</exception>
    public void Apply(ReasoningEffort? effort, Dictionary<string, JsonElement> variables)
    {
        switch (effort)
        {
            case null:
                return;
            case ReasoningEffort.None when hasThinking.Value:
                variables[Thinking] = JsonSerializer.SerializeToElement(false);
                return;
            case ReasoningEffort.None when !encoder.MarksThinking:
                return; // it does not reason anyway
            case ReasoningEffort.Low or ReasoningEffort.Medium or ReasoningEffort.High when hasEffort.Value:
                variables[Effort] = JsonSerializer.SerializeToElement(effort.ToString()!.ToLowerInvariant());
                return;
            default:
                throw new NotSupportedException($"This model's chat template knows no Reasoning.Effort of {effort}.");
        }
    }

    private static bool Differs<T>(ChatEncoder encoder, string name, T one, T other)
    {
        if (!encoder.HasTemplate) return false;
        try
        {
            return Render(one) != Render(other);
        }
        catch (TemplateException)
        {
            return false; // it takes no such value
        }

        string Render(T value) => encoder.RenderPrompt(
            [ChatMessage.User("a")], new Dictionary<string, JsonElement> { [name] = JsonSerializer.SerializeToElement(value) });
    }
}
