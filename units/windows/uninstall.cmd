@echo off
rem SPDX-License-Identifier: Apache-2.0
rem What install.cmd made, undone: uninstall.cmd [NAME]
rem Stops the service of the instance NAME (vortex) and removes it. Its configuration stays, and so does
rem %ProgramFiles%\Vortex, which services of other instances may need.
setlocal
set "name=%~1"
if "%name%"=="" set "name=vortex"

"%ProgramFiles%\Vortex\vortex.exe" service uninstall "%name%"
if errorlevel 1 exit /b 1
echo kept: "%ProgramData%\Vortex\%name%.conf" and "%ProgramFiles%\Vortex"
exit /b 0
