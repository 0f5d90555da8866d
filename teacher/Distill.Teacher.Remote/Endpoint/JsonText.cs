using System.Text.Json;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>Strings out of JSON that strangers wrote.</summary>
internal static class JsonText
{
    /// <summary>The text of a string. One that spells half a surrogate pair is no text and becomes the replacement character: it is data, not a fault.</summary>
    public static string Of(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }
}
