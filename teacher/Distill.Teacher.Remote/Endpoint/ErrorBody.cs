using System.Globalization;
using System.Text.Json;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>What an endpoint says about a request that it did not fulfil.</summary>
/// <param name="Code">e.g. <c>insufficient_quota</c>; empty when there is none.</param>
/// <param name="Message">As sent, so it may repeat the key: shown by <see cref="Shown"/> only.</param>
internal sealed record ErrorBody(string Code, string Message)
{
    /// <summary>Longest error body that is read, in bytes.</summary>
    public const int MaxBytes = 64 << 10;

    private const int LongestShown = 300;

    /// <summary>Any body: where it is no error object, nothing is said.</summary>
    public static ErrorBody Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            return Find(document.RootElement) ?? new("", "");
        }
        catch (JsonException)
        {
            return new("", "");
        }
    }

    /// <summary>The error of an answer, in any of the shapes that servers give it; null when there is none.</summary>
    public static ErrorBody? Find(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return null;
        if (!root.TryGetProperty("error", out var error) || error.ValueKind == JsonValueKind.Null)
            return root.TryGetProperty("object", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("error") ? Of(root) : null;
        return error.ValueKind == JsonValueKind.Object ? Of(error) : new ErrorBody("", TextOf(error));
    }

    /// <summary>The message for people: without the key, printable, short. In this order, or the start of a cut key would stay.</summary>
    public string Shown(ApiKey? key)
    {
        string text = string.Concat((key?.Redact(Message) ?? Message).Select(c => char.IsControl(c) ? ' ' : c));
        return text.Length <= LongestShown ? text : text[..LongestShown] + "...";
    }

    /// <summary>An error in the place of an answer, or in the middle of one: the status had been sent by then.</summary>
    public RemoteTeacherException InAnswer(ApiKey? key)
    {
        int? status = int.TryParse(Code, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 400 and < 600 ? number : null;
        bool isRefused = status is >= 400 and < 500 and not (408 or 429);
        var kind = isRefused ? RemoteFaultKind.Refused : status == 429 ? RemoteFaultKind.Busy : RemoteFaultKind.ServerFault;
        return new(kind, $"The endpoint sent an error in its answer{(Message.Length > 0 ? $": {Shown(key)}" : ".")}") { Status = status };
    }

    private static ErrorBody Of(JsonElement error)
    {
        string code = Field(error, "code");
        return new(code.Length > 0 ? code : Field(error, "type"), Field(error, "message"));
    }

    private static string Field(JsonElement owner, string name) => owner.TryGetProperty(name, out var value) ? TextOf(value) : "";

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => JsonText.Of(value),
        JsonValueKind.Number => value.GetRawText(),
        _ => "",
    };
}
