using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Servers;

/// <summary>Ways in which endpoints answer, good and bad.</summary>
internal static class Answers
{
    public const string Key = "sk-test-0123456789abcdef";

    /// <summary>A whole streamed answer: one piece of reasoning, the text in two pieces, the usage, the end mark.</summary>
    public static Func<HttpContext, Task> Streamed(string text, string reasoning = "", string finish = "stop") => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        if (reasoning.Length > 0) await Event(context, new JsonObject { ["reasoning_content"] = reasoning });
        int half = text.Length / 2;
        await Event(context, new JsonObject { ["content"] = text[..half] });
        await Event(context, new JsonObject { ["content"] = text[half..] });
        await Event(context, [], finish);
        await context.Response.WriteAsync(
            """data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":3}}}"""
                + "\n\n");
        await context.Response.WriteAsync("data: [DONE]\n\n");
    };

    public static Func<HttpContext, Task> Whole(JsonObject message, string finish = "stop") => Json(new JsonObject
    {
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["finish_reason"] = finish }),
        ["usage"] = new JsonObject { ["prompt_tokens"] = 11, ["completion_tokens"] = 7 },
    }.ToJsonString());

    public static Func<HttpContext, Task> Json(string body, int status = 200) => Body(body, "application/json", status);

    public static Func<HttpContext, Task> Body(string body, string type, int status = 200) => async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(body);
    };

    public static Func<HttpContext, Task> Status(
        int status, string message = "", string code = "", string? retryAfter = null, string? location = null) => async context =>
    {
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        if (location is not null) context.Response.Headers.Location = location;
        await Json(
            new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["code"] = code } }.ToJsonString(), status)(context);
    };

    /// <summary>The beginning of an answer, and then the connection is gone.</summary>
    public static Func<HttpContext, Task> CutOff(string beginning, string type) => async context =>
    {
        context.Response.ContentType = type;
        if (type == "application/json") context.Response.ContentLength = 10_000;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(beginning));
        await context.Response.Body.FlushAsync();
        context.Abort();
    };

    /// <summary>Begins an answer and never goes on.</summary>
    public static Func<HttpContext, Task> Stall(TaskCompletionSource? reached = null) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        await Event(context, new JsonObject { ["content"] = "4" });
        await context.Response.Body.FlushAsync();
        reached?.TrySetResult();
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    };

    public static string Date(DateTimeOffset time) => time.ToString("r", CultureInfo.InvariantCulture);

    private static Task Event(HttpContext context, JsonObject delta, string? finish = null) =>
        context.Response.WriteAsync("data: " + new JsonObject
    {
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
    }.ToJsonString() + "\n\n");
}
